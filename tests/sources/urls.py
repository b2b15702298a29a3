from django.urls import include, path

urlpatterns = [path("api/0/", include("projects.urls")), path("api/0/", include("sources.urls"))]
